/* What each handler of the fast engine does, as macros over exec.c's variables. A is rs1's value (from its register
 * slot or forwarded), D a store's datum. A body ends with ip at its own instruction: faults know their place by it. */
#ifndef P4S_BODIES_H
#define P4S_BODIES_H

#define X1 sim->x[ip->rs1]
#define X2 sim->x[ip->rs2]
#define IMM ((uint32_t)ip->imm)
#define SET(value)                   \
    do {                             \
        acc = (value);               \
        sim->x[ip->rd] = acc;        \
    } while (0)

#define BODY_NOP(A, D)
#define BODY_LI(A, D) SET(IMM);
#define BODY_ADDI(A, D) SET(A + IMM);
#define BODY_SLTI(A, D) SET((int32_t)A < ip->imm);
#define BODY_SLTIU(A, D) SET(A < IMM);
#define BODY_XORI(A, D) SET(A ^ IMM);
#define BODY_ORI(A, D) SET(A | IMM);
#define BODY_ANDI(A, D) SET(A & IMM);
#define BODY_SLLI(A, D) SET(A << (IMM & 31));
#define BODY_SRLI(A, D) SET(A >> (IMM & 31));
#define BODY_SRAI(A, D) SET((uint32_t)((int32_t)A >> (IMM & 31)));
#define BODY_ADD(A, D) SET(A + X2);
#define BODY_SUB(A, D) SET(A - X2);
#define BODY_SLL(A, D) SET(A << (X2 & 31));
#define BODY_SLT(A, D) SET((int32_t)A < (int32_t)X2);
#define BODY_SLTU(A, D) SET(A < X2);
#define BODY_XOR(A, D) SET(A ^ X2);
#define BODY_SRL(A, D) SET(A >> (X2 & 31));
#define BODY_SRA(A, D) SET((uint32_t)((int32_t)A >> (X2 & 31)));
#define BODY_OR(A, D) SET(A | X2);
#define BODY_AND(A, D) SET(A & X2);
#define BODY_MUL(A, D) SET(A * X2);
#define BODY_MULH(A, D) SET((uint32_t)((uint64_t)((int64_t)(int32_t)A * (int32_t)X2) >> 32));
#define BODY_MULHSU(A, D) SET((uint32_t)((uint64_t)((int64_t)(int32_t)A * (int64_t)X2) >> 32));
#define BODY_MULHU(A, D) SET((uint32_t)((uint64_t)A * X2 >> 32));
#define BODY_DIV(A, D)                                                                         \
    {                                                                                          \
        int32_t a_ = (int32_t)A, b_ = (int32_t)X2;                                             \
        SET(b_ == 0 ? 0xffffffffu : b_ == -1 ? 0u - (uint32_t)a_ : (uint32_t)(a_ / b_));       \
    }
#define BODY_DIVU(A, D) SET(X2 == 0 ? 0xffffffffu : A / X2);
#define BODY_REM(A, D)                                                                         \
    {                                                                                          \
        int32_t a_ = (int32_t)A, b_ = (int32_t)X2;                                             \
        SET(b_ == 0 ? (uint32_t)a_ : b_ == -1 ? 0u : (uint32_t)(a_ % b_));                     \
    }
#define BODY_REMU(A, D) SET(X2 == 0 ? A : A % X2);

/* Aligned and readable (or writable with no code about): in place. Anything else, misaligned accesses too, in mem.c;
 * what fails there too is left to the one-step interpreter, which makes the trap. */
#define ACCESSIBLE(address, size, permission) \
    likely((permissions[address >> P4S_GRANULE_SHIFT] & permission) && !(address & (size - 1)))
#define LOAD(A, type, convert, size, destination)                                  \
    {                                                                              \
        uint32_t address_ = A + IMM, value_;                                       \
        if (ACCESSIBLE(address_, size, P4S_READ)) {                                \
            type t_;                                                               \
            memcpy(&t_, (const void *)(base + address_), size);                    \
            value_ = (uint32_t)(convert)t_;                                        \
        } else {                                                                   \
            if (!p4s_load(sim, address_, size, &value_, &fault))                   \
                goto redo;                                                         \
            value_ = (uint32_t)(convert)(type)value_;                              \
        }                                                                          \
        destination(value_);                                                       \
    }
#define SET_F(value) sim->f[ip->rd] = value
#define BODY_LB(A, D) LOAD(A, int8_t, int32_t, 1, SET)
#define BODY_LH(A, D) LOAD(A, int16_t, int32_t, 2, SET)
#define BODY_LW(A, D) LOAD(A, uint32_t, uint32_t, 4, SET)
#define BODY_LBU(A, D) LOAD(A, uint8_t, uint32_t, 1, SET)
#define BODY_LHU(A, D) LOAD(A, uint16_t, uint32_t, 2, SET)
#define BODY_FLW(A, D) LOAD(A, uint32_t, uint32_t, 4, SET_F)

#define STORE_TO(A, data, type, size)                                              \
    {                                                                              \
        uint32_t address_ = A + IMM, data_ = data;                                 \
        if (ACCESSIBLE(address_, size, P4S_WRITE_FAST)) {                          \
            type t_ = (type)data_;                                                 \
            memcpy((void *)(base + address_), &t_, size);                          \
        } else {                                                                   \
            uint32_t drops_ = sim->drops;                                          \
            if (!p4s_store(sim, address_, size, data_, &fault))                    \
                goto redo;                                                         \
            if (drops_ != sim->drops)                                              \
                goto after_drop;                                                   \
        }                                                                          \
    }
#define BODY_SB(A, D) STORE_TO(A, D, uint8_t, 1)
#define BODY_SH(A, D) STORE_TO(A, D, uint16_t, 2)
#define BODY_SW(A, D) STORE_TO(A, D, uint32_t, 4)
#define BODY_FSW(A, D) STORE_TO(A, sim->f[ip->rs2], uint32_t, 4)

#define LEAVE(way)                                 \
    do {                                           \
        p4s_block *to_ = block->out[way].to;       \
        budget -= to_->count;                      \
        if (unlikely(budget < 0))                  \
            goto leave_##way;                      \
        block = to_;                               \
        ip = block->ops;                           \
        goto *ip->go;                              \
    } while (0)
#define BRANCH(condition) \
    if (condition)        \
        LEAVE(0);         \
    else                  \
        LEAVE(1);
#define BODY_BEQ(A, D) BRANCH(A == X2)
#define BODY_BNE(A, D) BRANCH(A != X2)
#define BODY_BLT(A, D) BRANCH((int32_t)A < (int32_t)X2)
#define BODY_BGE(A, D) BRANCH((int32_t)A >= (int32_t)X2)
#define BODY_BLTU(A, D) BRANCH(A < X2)
#define BODY_BGEU(A, D) BRANCH(A >= X2)
#define BODY_FALL(A, D) LEAVE(1);
#define BODY_JAL(A, D)                \
    sim->x[ip->rd] = block->end;      \
    LEAVE(0);
#define BODY_JALR(A, D)                                    \
    {                                                      \
        uint32_t target_ = (A + IMM) & ~1u;                \
        sim->x[ip->rd] = block->end;                       \
        p4s_block *to_ = sim->hash[p4s_block_hash(target_)]; \
        if (unlikely(to_->pc != target_)) {                \
            sim->pc = target_;                             \
            goto find;                                     \
        }                                                  \
        budget -= to_->count;                              \
        if (unlikely(budget < 0)) {                        \
            budget += to_->count;                          \
            sim->pc = target_;                             \
            goto finish;                                   \
        }                                                  \
        block = to_;                                       \
        ip = block->ops;                                   \
        goto *ip->go;                                      \
    }

#define RUN_PIE                                                                         \
    const p4s_pie *pie_ = (const void *)((const char *)block->pie + ip->imm);           \
    if (unlikely(!pie_->run(sim, pie_, &fault)))                                        \
        goto redo;
#define BODY_PIE(A, D) \
    {                  \
        RUN_PIE        \
    }
#define BODY_PIE_DROPS(A, D)                                            \
    {                                                                   \
        uint32_t drops_ = sim->drops;                                   \
        RUN_PIE                                                         \
        if (unlikely(drops_ != sim->drops))                             \
            goto after_drop;                                            \
    }
#define BODY_LOOP(A, D)                                                                 \
    {                                                                                   \
        uint32_t target_ = p4s_loop_next(sim, (uint32_t)ip->imm, block->end);           \
        if (target_ == block->end)                                                      \
            LEAVE(1);                                                                   \
        if (unlikely(target_ != block->taken_pc)) {                                     \
            sim->pc = target_;                                                          \
            goto find;                                                                  \
        }                                                                               \
        LEAVE(0);                                                                       \
    }

/* Float on the host's unit, where it gives what RISC-V wants; else in integers, whose flags go straight to fflags. */
#define F(index) from_bits(sim->f[index])
#define SOFT_OR_REDO       \
    if (!soft(sim, ip))    \
        goto redo;
#define BODY_SOFT(A, D) SOFT_OR_REDO
#if HOSTFP_TINY_AFTER_ROUNDING
#define UNSURE_UNDERFLOW(bits) false
#else
#define UNSURE_UNDERFLOW(bits) ((bits & 0x7fffffffu) <= 0x00800000u)
#endif
/* Only products, quotients and fused sums can underflow inexactly. A NaN from a fused sum may owe a flag. */
#define FLOAT(expression, may_underflow, nan_is_soft)                                                   \
    if (unlikely(sim->frm != FP_RNE)) {                                                                 \
        SOFT_OR_REDO                                                                                    \
    } else {                                                                                            \
        uint32_t bits_ = to_bits(expression);                                                           \
        if (unlikely(p4s_fp_is_nan(bits_))) {                                                           \
            if (nan_is_soft)                                                                            \
                soft(sim, ip);                                                                          \
            else                                                                                        \
                sim->f[ip->rd] = FP_NAN;                                                                \
        } else if (may_underflow && unlikely(UNSURE_UNDERFLOW(bits_))) {                                \
            soft(sim, ip);                                                                              \
        } else {                                                                                        \
            sim->f[ip->rd] = bits_;                                                                     \
        }                                                                                               \
    }
#define BODY_FADD_S(A, D) FLOAT(F(ip->rs1) + F(ip->rs2), false, false)
#define BODY_FSUB_S(A, D) FLOAT(F(ip->rs1) - F(ip->rs2), false, false)
#define BODY_FMUL_S(A, D) FLOAT(F(ip->rs1) * F(ip->rs2), true, false)
#define BODY_FDIV_S(A, D) FLOAT(F(ip->rs1) / F(ip->rs2), true, false)
#define BODY_FSQRT_S(A, D) FLOAT(hostfp_sqrt(F(ip->rs1)), false, false)
#define BODY_FMADD_S(A, D) FLOAT(hostfp_fma(F(ip->rs1), F(ip->rs2), F(ip->rs3)), true, true)
#define BODY_FMSUB_S(A, D) FLOAT(hostfp_fma(F(ip->rs1), F(ip->rs2), -F(ip->rs3)), true, true)
#define BODY_FNMSUB_S(A, D) FLOAT(hostfp_fma(-F(ip->rs1), F(ip->rs2), F(ip->rs3)), true, true)
#define BODY_FNMADD_S(A, D) FLOAT(hostfp_fma(-F(ip->rs1), F(ip->rs2), -F(ip->rs3)), true, true)

#define SIGN_BIT 0x80000000u
#define BODY_FSGNJ_S(A, D) SET_F((sim->f[ip->rs1] & ~SIGN_BIT) | (sim->f[ip->rs2] & SIGN_BIT));
#define BODY_FSGNJN_S(A, D) SET_F((sim->f[ip->rs1] & ~SIGN_BIT) | (~sim->f[ip->rs2] & SIGN_BIT));
#define BODY_FSGNJX_S(A, D) SET_F(sim->f[ip->rs1] ^ (sim->f[ip->rs2] & SIGN_BIT));
#define BODY_FMV_W_X(A, D) SET_F(A);
#define BODY_FMV_X_W(A, D) SET(sim->f[ip->rs1]);
#define BODY_FCLASS_S(A, D) \
    soft(sim, ip);          \
    acc = sim->x[ip->rd];

/* Zeros go the slow way with NaN, for the order of -0 and +0. */
#define MIN_MAX(relation)                                                                         \
    {                                                                                             \
        uint32_t a_ = sim->f[ip->rs1], b_ = sim->f[ip->rs2];                                      \
        if (unlikely(p4s_fp_is_nan(a_) || p4s_fp_is_nan(b_) || ((a_ | b_) & ~SIGN_BIT) == 0))     \
            soft(sim, ip);                                                                        \
        else                                                                                      \
            sim->f[ip->rd] = from_bits(a_) relation from_bits(b_) ? a_ : b_;                      \
    }
#define BODY_FMIN_S(A, D) MIN_MAX(<)
#define BODY_FMAX_S(A, D) MIN_MAX(>)

/* Compilers differ in which comparisons raise flags on NaN: none is compared here. */
#define RELATION(relation)                                               \
    {                                                                    \
        uint32_t a_ = sim->f[ip->rs1], b_ = sim->f[ip->rs2];             \
        if (unlikely(p4s_fp_is_nan(a_) || p4s_fp_is_nan(b_))) {          \
            soft(sim, ip);                                               \
            acc = sim->x[ip->rd];                                        \
        } else {                                                         \
            SET(from_bits(a_) relation from_bits(b_));                   \
        }                                                                \
    }
#define BODY_FEQ_S(A, D) RELATION(==)
#define BODY_FLT_S(A, D) RELATION(<)
#define BODY_FLE_S(A, D) RELATION(<=)

#define BODY_FCVT_S_W(A, D) FLOAT((float)(int32_t)A, false, false)
#define BODY_FCVT_S_WU(A, D) FLOAT((float)(int64_t)A, false, false)
/* Toward zero. The barrier keeps the conversion, which may raise a flag, behind the test of its range. */
#define TO_INTEGER(low, high)                                   \
    {                                                           \
        uint32_t bits_ = sim->f[ip->rs1];                       \
        float a_ = from_bits(bits_);                            \
        if (likely(!p4s_fp_is_nan(bits_) && a_ low && a_ < high)) { \
            __asm__ volatile("" : "+r"(bits_));                 \
            SET((uint32_t)(int64_t)from_bits(bits_));           \
        } else {                                                \
            soft(sim, ip);                                      \
            acc = sim->x[ip->rd];                               \
        }                                                       \
    }
#define BODY_FCVT_W_S(A, D) TO_INTEGER(>= -0x1p31f, 0x1p31f)
#define BODY_FCVT_WU_S(A, D) TO_INTEGER(> -1.0f, 0x1p32f)

#endif
